SELECT min(time_us), max(time_us), min(along)::double precision, max(along)::double precision FROM (/*points*/) AS point
