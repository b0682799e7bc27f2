"""What people see: the sign-in pages, the admin site, the API documents."""
