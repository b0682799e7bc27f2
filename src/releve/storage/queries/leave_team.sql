-- What a team told a device goes to the next one no more: commands that wait, its configuration, what its car said last,
-- what it is mounted on, certificates that wait for the other side, and what a session would bring it.
WITH command AS (
    UPDATE device_command SET expires = now() WHERE device_id = %(device)s AND delivered IS NULL AND expires > now()
), config AS (
    DELETE FROM device_config WHERE device_id = %(device)s
), said AS (
    DELETE FROM topic_value WHERE device_id = %(device)s
), seen AS (
    DELETE FROM device_seen WHERE device_id = %(device)s
), claim AS (
    DELETE FROM certificate_claim WHERE device_id = %(device)s
), mount AS (
    DELETE FROM fleet_mount WHERE device_id = %(device)s
)
UPDATE device_link SET state = NULL, state_until = NULL WHERE device_id = %(device)s
