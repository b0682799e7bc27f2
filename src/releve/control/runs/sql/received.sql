SELECT sum(n)::bigint, min(first_time), max(last_time) FROM run_block WHERE device_id = %(device)s AND run_id = %(run)s
