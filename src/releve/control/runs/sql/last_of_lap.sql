-- The last reading of a lap that counts, and the distance that it tells.
SELECT r.time, CASE WHEN jsonb_typeof(r.channels -> 'distance') = 'number' THEN (r.channels -> 'distance')::double precision END
FROM reading AS r
WHERE r.device_id = %(device)s AND r.time >= %(since)s AND r.time < %(until)s AND /*counts*/
  AND jsonb_typeof(r.channels -> 'track') = 'number' AND (r.channels ->> 'track')::double precision = %(lap)s
ORDER BY r.time DESC, r.id DESC LIMIT 1
