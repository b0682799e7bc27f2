SELECT key FROM revocation WHERE key = ANY(%(keys)s::uuid[])
