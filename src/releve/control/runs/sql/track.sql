-- The first reading of each block that tells the lap, and each that changes it.
SELECT time, track, distance FROM (
    SELECT told.*, lag(track) OVER (PARTITION BY block.start ORDER BY time, id) AS before
    FROM unnest(%(starts)s::timestamptz[]) AS block (start)
    CROSS JOIN LATERAL (
        SELECT r.time, r.id, (r.channels -> 'track')::double precision AS track,
               CASE WHEN jsonb_typeof(r.channels -> 'distance') = 'number'
                    THEN (r.channels -> 'distance')::double precision END AS distance
        FROM reading AS r
        WHERE r.device_id = %(device)s
          AND r.time >= greatest(block.start, %(since)s) AND r.time < least(block.start + interval '5 seconds', %(until)s)
          AND jsonb_typeof(r.channels -> 'track') = 'number' AND /*counts*/
        ORDER BY r.time, r.id -- by the key, block by block
    ) AS told
) AS compared
WHERE before IS NULL OR before <> track
ORDER BY time, id
