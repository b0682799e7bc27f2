SELECT link.device_id, bool_or(is_live) AS is_online,
       CASE WHEN bool_or(is_live) THEN min(since) FILTER (WHERE is_live) ELSE max(coalesce(ended, since)) END AS since
FROM device_link AS link
CROSS JOIN LATERAL (
    SELECT link.ended IS NULL
       AND EXISTS (SELECT FROM mqtt_worker WHERE id = link.worker AND seen > now() - interval '20 seconds') AS is_live
) AS state
WHERE link.device_id = ANY(%(devices)s)
GROUP BY link.device_id
