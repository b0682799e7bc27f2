INSERT INTO revocation (key, at, principal, born, until)
VALUES (%(key)s, %(at)s, %(principal)s, %(born)s, %(until)s) ON CONFLICT (key) DO NOTHING
