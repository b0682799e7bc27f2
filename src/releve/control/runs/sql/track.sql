SELECT r.time, (r.channels -> 'track')::double precision,
       CASE WHEN jsonb_typeof(r.channels -> 'distance') = 'number' THEN (r.channels -> 'distance')::double precision END
FROM reading AS r
WHERE r.device_id = %(device)s AND r.time >= %(since)s AND r.time < %(until)s
  AND jsonb_typeof(r.channels -> 'track') = 'number' AND /*counts*/
ORDER BY r.time, r.id
