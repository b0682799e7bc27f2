-- Sign in all the devices that asked at the same moment. Each device's row is held until the commit: whoever disables it
-- or replaces its secret meanwhile revokes what is begun here.
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest(
        %(sign_ins)s::uuid[], %(names)s::text[], %(hashes)s::text[], %(attempts)s::text[],
        %(subscribers)s::text[], %(addresses)s::text[], %(agents)s::text[]
    ) AS asked (sign_in, name, hash, attempt, subscriber, address, agent)
), held AS MATERIALIZED (
    SELECT id, name, team_id, secret_hash FROM fleet_device
    WHERE name = ANY(%(names)s::text[]) AND is_enabled AND owner_id IS NULL AND secret_hash <> ''
    ORDER BY id FOR SHARE
), judged AS MATERIALIZED (
    SELECT asked.*, held.id AS device, held.team_id AS team, failed.failures,
           ceil(extract(epoch FROM CASE WHEN failed.blocked_until > now() THEN failed.blocked_until - now() END))::int AS wait_s
    FROM asked
    LEFT JOIN held ON held.name = asked.name AND held.secret_hash = asked.hash
    LEFT JOIN accounts_attempt AS failed ON failed.principal = asked.attempt AND failed.address = asked.subscriber
), started AS (
    INSERT INTO accounts_signin (
        id, device_id, generation, started_at, refreshed_at, rotated_at, expires_at, revoked_reason, address, user_agent
    )
    SELECT sign_in, device, 0, now(), now(), now(), now() + make_interval(secs => %(life_s)s), '', address, agent
    FROM judged WHERE device IS NOT NULL AND wait_s IS NULL
), noted AS (
    INSERT INTO accounts_auditevent (time, kind, is_alert, device_id, team_id, address, user_agent, detail)
    SELECT now(), 'signed-in', false, device, team, address, agent, jsonb_build_object('sign_in', sign_in)
    FROM judged WHERE device IS NOT NULL AND wait_s IS NULL
), forgiven AS (
    DELETE FROM accounts_attempt USING judged
    WHERE judged.device IS NOT NULL AND judged.wait_s IS NULL AND judged.failures IS NOT NULL
      AND accounts_attempt.principal = judged.attempt AND accounts_attempt.address = judged.subscriber
)
SELECT sign_in, device, wait_s, now(), now() + make_interval(secs => %(life_s)s) FROM judged
