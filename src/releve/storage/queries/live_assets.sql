-- Assets, and which devices of their team have reported for them.
SELECT asset.id, asset.team_id, asset.kind, asset.key, device.id AS device_id, device.name
FROM fleet_asset AS asset
LEFT JOIN fleet_mount AS mount ON mount.asset_id = asset.id
LEFT JOIN fleet_device AS device ON device.id = mount.device_id AND device.team_id = asset.team_id AND device.deleted_at IS NULL
WHERE asset.id = ANY(%(assets)s::bigint[])
ORDER BY asset.id, device.id
