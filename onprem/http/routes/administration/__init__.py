"""The whole node, for its operator: every route asks for the scope `admin`."""
