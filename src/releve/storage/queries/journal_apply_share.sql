-- A shared link that was revoked opens nothing again.
UPDATE shares_share SET revoked_at = %(at)s
WHERE id = %(name)s::bigint AND created_at = %(born)s AND revoked_at IS NULL
