SELECT r.time FROM reading AS r
WHERE r.device_id = %(device)s AND r.time >= %(since)s AND r.time < %(until)s AND /*counts*/
ORDER BY r.time, r.id
