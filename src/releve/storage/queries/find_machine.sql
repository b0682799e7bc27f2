SELECT asset.id, array_agg(DISTINCT mount.device_id) AS devices
FROM fleet_asset AS asset JOIN fleet_mount AS mount ON mount.asset_id = asset.id
WHERE asset.kind = 'machine' AND asset.key = %(machine)s
  AND asset.team_id = ANY(%(teams)s::bigint[])
GROUP BY asset.id ORDER BY asset.id LIMIT 1
