"""One option table: parse, validate, show, document."""
