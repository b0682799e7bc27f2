-- A machine that nobody has heard of becomes an asset at its first reading; one device may bring a thousand.
WITH device AS (
    SELECT id, team_id FROM fleet_device
    WHERE id = %(device_id)s AND (SELECT count(*) FROM fleet_mount WHERE device_id = %(device_id)s) < 1000
), added AS (
    INSERT INTO fleet_asset (team_id, kind, key, name)
    SELECT team_id, 'machine', %(machine)s, 'Machine ' || %(machine)s FROM device
    ON CONFLICT (team_id, kind, key) DO NOTHING
    RETURNING id
), asset AS (
    SELECT id FROM added
    UNION ALL
    SELECT fleet_asset.id FROM fleet_asset JOIN device ON fleet_asset.team_id = device.team_id
    WHERE kind = 'machine' AND key = %(machine)s
)
INSERT INTO fleet_mount (asset_id, device_id)
SELECT asset.id, device.id FROM asset, device
ON CONFLICT (asset_id, device_id) DO NOTHING
