SELECT releve_show_certificate(%(fingerprint)s, 0, %(subject)s, %(address)s) AS state
