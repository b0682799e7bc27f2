"""What `releve import` is made of: files to readings, readings to the server, and the report."""
