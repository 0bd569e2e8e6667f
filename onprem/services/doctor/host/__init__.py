"""What the machine says, read below a root folder that tests replace."""
