SELECT holds, content FROM segment_column
WHERE device_id = %(device)s AND segment_id = %(segment)s
  AND (holds IN ('t', 'r') OR (holds = 'c' AND name = %(channel)s))
