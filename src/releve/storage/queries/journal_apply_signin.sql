UPDATE accounts_signin SET revoked_at = %(at)s, revoked_reason = 'ended after the backup that was restored'
WHERE id = %(name)s::uuid AND revoked_at IS NULL
