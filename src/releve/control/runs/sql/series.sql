SELECT r.time,
       CASE WHEN jsonb_typeof(r.channels -> 'repetitions') = 'number'
            THEN (r.channels -> 'repetitions')::double precision END,
       CASE WHEN jsonb_typeof(r.channels -> 'asymmetry') = 'number' THEN (r.channels -> 'asymmetry')::double precision END
FROM reading AS r
WHERE r.device_id = %(device)s AND r.time >= %(since)s AND r.time < %(until)s AND /*counts*/
ORDER BY r.time, r.id LIMIT %(limit)s
