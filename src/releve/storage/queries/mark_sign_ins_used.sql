UPDATE accounts_signin SET used_at = now()
WHERE id = ANY(%s::uuid[]) AND (used_at IS NULL OR used_at < now() - interval '30 minutes')
