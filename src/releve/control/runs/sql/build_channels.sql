INSERT INTO run_block_channel (device_id, run_id, start, channel, n, low, high, mean, squares, first_value, last_value)
SELECT %(device)s, %(run)s, start, channel, n, low, high, mean, squares, first_value, last_value FROM (/*channels*/) AS built
