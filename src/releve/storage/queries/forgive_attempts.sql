-- Forget the failures before a success.
DELETE FROM accounts_attempt WHERE principal = %(attempt)s AND address = %(subscriber)s
