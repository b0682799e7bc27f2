SELECT releve_accept_certificate(%(fingerprint)s, %(device)s, %(by)s)
