-- How many readings a device has, and how many wait in quarantine.
SELECT (SELECT coalesce(sum(n), 0) FROM segment WHERE device_id = %(device)s AND replaced IS NULL)::bigint
     + (SELECT count(*) FROM fresh_reading WHERE device_id = %(device)s)
     + (SELECT count(*) FROM reading WHERE device_id = %(device)s),
       (SELECT count(*) FROM quarantine WHERE device_id = %(device)s AND replayed_at IS NULL)
