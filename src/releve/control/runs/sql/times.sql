SELECT block.start, told.time
FROM unnest(%(starts)s::timestamptz[]) AS block (start)
CROSS JOIN LATERAL (
    SELECT r.time FROM reading AS r
    WHERE r.device_id = %(device)s
      AND r.time >= greatest(block.start, %(since)s) AND r.time < least(block.start + interval '5 seconds', %(until)s)
      AND /*counts*/
    ORDER BY r.time, r.id -- by the key, block by block
) AS told
ORDER BY told.time
