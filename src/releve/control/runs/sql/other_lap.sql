-- The first reading of another lap.
SELECT r.time FROM reading AS r
WHERE r.device_id = %(device)s AND r.time > %(since)s AND r.time < %(until)s AND /*counts*/
  AND jsonb_typeof(r.channels -> 'track') = 'number' AND (r.channels ->> 'track')::double precision <> %(lap)s
ORDER BY r.time, r.id LIMIT 1
