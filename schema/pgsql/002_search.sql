-- SPDX-License-Identifier: ISC
-- Full text of the transcript. A tsvector holds at most a megabyte, so that of very long texts only
-- the beginning is searched.

ALTER TABLE messages ADD COLUMN words TSVECTOR
    GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, left(content, 100000))) STORED;

CREATE INDEX messages_by_words ON messages USING GIN (words);
