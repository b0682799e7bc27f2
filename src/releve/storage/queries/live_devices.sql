-- Devices by their numbers.
SELECT id, name, team_id FROM fleet_device WHERE id = ANY(%(devices)s::int[]) AND deleted_at IS NULL
