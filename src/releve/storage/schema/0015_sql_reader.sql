-- Views for people with SQL, in a schema of their own. Each role sees the teams that `releve db grant-reader` named for it:
-- the views run as their owner and ask who is signed in, so that the role itself may touch nothing else.
CREATE TABLE sql_reader (
    role    name   NOT NULL,
    team_id bigint NOT NULL,
    PRIMARY KEY (role, team_id)
);

CREATE SCHEMA telemetry;

CREATE VIEW telemetry.team WITH (security_barrier) AS
SELECT team.id, team.name FROM teams_team AS team JOIN sql_reader AS reader ON reader.team_id = team.id
WHERE reader.role = session_user;

-- Devices as they are now, and until when and since when the team owned them.
CREATE VIEW telemetry.device WITH (security_barrier) AS
SELECT device.id, device.name, team.name AS team, device.contract, device.timezone, device.is_enabled,
       seen.last_seen, seen.last_time, owned.since AS owned_since, owned.until AS owned_until
FROM telemetry.team AS team
JOIN device_ownership AS owned ON owned.team_id = team.id
JOIN fleet_device AS device ON device.id = owned.device_id
LEFT JOIN device_seen AS seen ON seen.device_id = device.id AND owned.until IS NULL;

-- Readings that are not in a segment yet: those of the last hour, and late ones.
CREATE VIEW telemetry.fresh_reading WITH (security_barrier) AS
SELECT device.id AS device_id, device.name AS device, reading.time, reading.received, reading.channels::jsonb AS channels
FROM telemetry.device AS device JOIN fresh_reading AS reading ON reading.device_id = device.id
WHERE reading.time >= coalesce(device.owned_since, '-infinity') AND reading.time < coalesce(device.owned_until, 'infinity')
UNION ALL
SELECT device.id, device.name, reading.time, reading.received, reading.channels
FROM telemetry.device AS device JOIN reading ON reading.device_id = device.id
WHERE reading.time >= coalesce(device.owned_since, '-infinity') AND reading.time < coalesce(device.owned_until, 'infinity');

-- What each numeric channel did on a grid of time, of everything that is in segments: a row a rung. A rung in the midst of
-- which a device was moved to another team is nobody's.
CREATE VIEW telemetry.ladder WITH (security_barrier) AS
SELECT device.id AS device_id, device.name AS device, ladder.channel,
       to_timestamp(0) + rung.start_us * interval '1 microsecond' AS time, ladder.width_us * interval '1 microsecond' AS width,
       rung.n, rung.first, rung.low, rung.high, rung.last, rung.total, rung.total / rung.n AS mean
FROM telemetry.device AS device
JOIN ladder ON ladder.device_id = device.id
CROSS JOIN LATERAL unnest(ladder.start_us, ladder.n, ladder.first, ladder.low, ladder.high, ladder.last, ladder.total)
    AS rung (start_us, n, first, low, high, last, total)
WHERE to_timestamp(0) + rung.start_us * interval '1 microsecond' >= coalesce(device.owned_since, '-infinity')
  AND to_timestamp(0) + (rung.start_us + ladder.width_us) * interval '1 microsecond' <= coalesce(device.owned_until, 'infinity');

-- Both in one, for charts that reach to now: rungs, and each fresh number as a rung of its own.
CREATE VIEW telemetry.chart WITH (security_barrier) AS
SELECT device_id, device, channel, time, width, n::bigint AS n, first, low, high, last, total, mean FROM telemetry.ladder
UNION ALL
SELECT device_id, device, key, time, interval '0', 1, number, number, number, number, number, number
FROM (
    SELECT device_id, device, time, each.key,
           CASE WHEN jsonb_typeof(each.value) = 'number' THEN each.value::double precision END AS number
    FROM telemetry.fresh_reading CROSS JOIN LATERAL jsonb_each(channels) AS each
) AS measured
WHERE number IS NOT NULL;

CREATE VIEW telemetry.run WITH (security_barrier) AS
SELECT run.id, team.name AS team, run.device_id, device.name AS device, asset.name AS asset, run.kind, run.name, run.part,
       run.started_at, run.ended_at
FROM telemetry.team AS team
JOIN runs_run AS run ON run.team_id = team.id AND run.deleted_at IS NULL
LEFT JOIN fleet_device AS device ON device.id = run.device_id
LEFT JOIN fleet_asset AS asset ON asset.id = run.asset_id;
