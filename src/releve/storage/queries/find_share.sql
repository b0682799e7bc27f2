-- A shared link that stands, by its secret's hash.
SELECT share.id, share.team_id, share.kind, share.device_id, share.runs, extract(epoch FROM share.expires_at)::float8 AS expires_s
FROM shares_share AS share
WHERE share.id = %(share)s AND share.secret_hash = %(hash)s AND share.revoked_at IS NULL AND share.expires_at > now()
