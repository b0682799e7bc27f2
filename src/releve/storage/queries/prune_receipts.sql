-- Some receipts that are older than a repeat may come; one that is renewed meanwhile stays.
DELETE FROM receipt
WHERE received < now() - make_interval(days => %(days)s)
  AND (device_id, id) IN (
    SELECT device_id, id FROM receipt WHERE received < now() - make_interval(days => %(days)s) LIMIT %(limit)s
  )
