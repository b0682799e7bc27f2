INSERT INTO fleet_device (name, team_id, contract, timezone, secret_hash, is_enabled)
SELECT %(name)s, team.id, 'generic', 'UTC', '', true FROM teams_team AS team WHERE team.name = %(team)s
ORDER BY team.id LIMIT 1
ON CONFLICT DO NOTHING
