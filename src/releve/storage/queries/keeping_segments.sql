-- A device's segments that begin before an instant, each with the channels that it has, unless an archive just gave them back.
SELECT segment.id, n, (extract(epoch FROM first) * 1000000)::bigint, (extract(epoch FROM last) * 1000000)::bigint, bytes,
       array(SELECT name FROM segment_column AS own WHERE own.device_id = %(device)s AND own.segment_id = segment.id AND own.holds = 'c')
FROM segment
WHERE device_id = %(device)s AND replaced IS NULL AND first < to_timestamp(0) + %(before_us)s::bigint * interval '1 microsecond'
  AND NOT EXISTS (
      SELECT FROM restored_span AS held
      WHERE held.device_id = %(device)s AND held.kept_until > now() AND held.since <= segment.last AND held.until > segment.first
  )
ORDER BY first, id
