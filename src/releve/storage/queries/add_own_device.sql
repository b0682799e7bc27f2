INSERT INTO fleet_device (name, team_id, owner_id, contract, timezone, secret_hash, is_enabled)
SELECT 'person:' || membership.account_id, membership.team_id, membership.account_id, %(contract)s, %(timezone)s, '', true
FROM teams_membership AS membership WHERE membership.account_id = %(account)s
ORDER BY membership.team_id LIMIT 1
ON CONFLICT DO NOTHING
