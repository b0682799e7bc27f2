DELETE FROM accounts_attempt WHERE principal = %(attempt)s AND address = %(subscriber)s
