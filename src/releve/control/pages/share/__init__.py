"""What people see who open a shared link, and where links are made and revoked."""
