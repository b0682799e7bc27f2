-- What there is of history: by device, for those that have any.
SELECT device_id, coalesce(fresh.n, 0), coalesce(old.n, 0), coalesce(sealed.n, 0), coalesce(sealed.segments, 0),
       coalesce(sealed.bytes, 0), coalesce(sealed.value_count, 0)
FROM (SELECT device_id, count(*) AS n FROM fresh_reading WHERE %(device)s::int IS NULL OR device_id = %(device)s GROUP BY device_id) AS fresh
FULL JOIN (SELECT device_id, count(*) AS n FROM reading WHERE %(device)s::int IS NULL OR device_id = %(device)s GROUP BY device_id) AS old USING (device_id)
FULL JOIN (
    SELECT device_id, sum(n)::bigint AS n, count(*) AS segments, sum(bytes)::bigint AS bytes, sum(value_count)::bigint AS value_count
    FROM segment WHERE replaced IS NULL AND (%(device)s::int IS NULL OR device_id = %(device)s) GROUP BY device_id
) AS sealed USING (device_id)
ORDER BY device_id
