SELECT start FROM run_block
WHERE device_id = %(device)s AND run_id = %(run)s AND longest_gap_s > %(longer_than_s)s
ORDER BY longest_gap_s DESC, start LIMIT %(limit)s
