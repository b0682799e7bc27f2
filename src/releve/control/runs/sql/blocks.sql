SELECT (extract(epoch FROM start) * 1000000)::bigint, channel, n, low, high, mean, squares, first_value, last_value
FROM run_block_channel
WHERE device_id = %(device)s AND run_id = %(run)s AND start >= %(from)s AND start < %(to)s
ORDER BY start, channel
