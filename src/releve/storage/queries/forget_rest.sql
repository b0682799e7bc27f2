-- What is known of a device that was deleted, apart from its readings and from what its row takes along.
WITH anchor AS (
    DELETE FROM boot_anchor WHERE device_id = %(device)s
), claim AS (
    DELETE FROM certificate_claim WHERE device_id = %(device)s
), name AS (
    DELETE FROM channel_name WHERE device_id = %(device)s
), certificate AS (
    DELETE FROM device_certificate WHERE device_id = %(device)s
), command AS (
    DELETE FROM device_command WHERE device_id = %(device)s
), config AS (
    DELETE FROM device_config WHERE device_id = %(device)s
), expired AS (
    DELETE FROM expired_reading WHERE device_id = %(device)s
), restored AS (
    DELETE FROM restored_span WHERE device_id = %(device)s
), link AS (
    DELETE FROM device_link WHERE device_id = %(device)s
), seen AS (
    DELETE FROM device_seen WHERE device_id = %(device)s
), number AS (
    DELETE FROM numeric_channel WHERE device_id = %(device)s
), block AS (
    DELETE FROM run_block WHERE device_id = %(device)s
), block_channel AS (
    DELETE FROM run_block_channel WHERE device_id = %(device)s
), strange AS (
    DELETE FROM strange_text WHERE device_id = %(device)s
)
DELETE FROM topic_value WHERE device_id = %(device)s
