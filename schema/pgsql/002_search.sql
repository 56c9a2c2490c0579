-- SPDX-License-Identifier: ISC
-- Full text of the transcript. GIN has no order, so beside its words each message is indexed under
-- the beginnings of its id, which are spans of time from 65 seconds ("~" and 8 digits) to 2.2 years
-- (3 digits). A search goes through such spans from the newest on and stops when it has enough.
-- A tsvector holds at most a megabyte; of very long texts only the beginning is searched.

CREATE FUNCTION message_words (id UUID, content TEXT) RETURNS TSVECTOR
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT to_tsvector('simple'::regconfig, left(content, 100000)) ||
        array_to_tsvector(ARRAY[
            '~' || left(id::text, 3), '~' || left(id::text, 4), '~' || left(id::text, 5),
            '~' || left(id::text, 6), '~' || left(id::text, 7), '~' || left(id::text, 8)])
$$;

-- A long list of what is not yet sorted in would have to be read by every search.
CREATE INDEX messages_by_words ON messages USING GIN (message_words(message_id, content))
    WITH (gin_pending_list_limit = 256);
