"""What `releve doctor` looks at, one file for each place; every check says how to mend what it finds."""
