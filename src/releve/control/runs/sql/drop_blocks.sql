WITH dropped AS (
    DELETE FROM run_block
    WHERE device_id = %(device)s AND run_id = %(run)s AND start >= %(since)s AND start < %(until)s
)
DELETE FROM run_block_channel
WHERE device_id = %(device)s AND run_id = %(run)s AND start >= %(since)s AND start < %(until)s
