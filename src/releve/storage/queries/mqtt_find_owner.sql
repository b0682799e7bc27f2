SELECT id, team_id FROM fleet_device WHERE name = %(name)s
