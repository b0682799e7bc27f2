-- The links of a worker that died are over since it was last seen.
WITH dead AS (DELETE FROM mqtt_worker WHERE seen < now() - interval '20 seconds' RETURNING id, seen)
UPDATE device_link SET ended = dead.seen FROM dead WHERE device_link.worker = dead.id AND device_link.ended IS NULL
