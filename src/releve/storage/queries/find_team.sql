SELECT id FROM teams_team WHERE name = %(name)s
