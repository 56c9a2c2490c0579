-- SPDX-License-Identifier: ISC
-- Full text of the transcript. The index holds no second copy of the texts.

CREATE VIRTUAL TABLE messages_fts USING fts5 (
    content,
    content = 'messages',
    content_rowid = 'seq',
    columnsize = 0,
    tokenize = "unicode61 remove_diacritics 0 categories 'L* N* Co Mn Mc'"
);

INSERT INTO messages_fts (messages_fts) VALUES ('rebuild');

-- What is inserted goes into the index by a statement of its own: a trigger would write the index
-- out for every message. What changes or goes does so rarely.

CREATE TRIGGER messages_fts_delete AFTER DELETE ON messages
WHEN old.content IS NOT NULL
BEGIN
    INSERT INTO messages_fts (messages_fts, rowid, content)
    VALUES ('delete', old.seq, old.content);
END;

CREATE TRIGGER messages_fts_update AFTER UPDATE OF content ON messages
WHEN old.content IS NOT new.content
BEGIN
    INSERT INTO messages_fts (messages_fts, rowid, content)
    SELECT 'delete', old.seq, old.content WHERE old.content IS NOT NULL;
    INSERT INTO messages_fts (rowid, content)
    SELECT new.seq, new.content WHERE new.content IS NOT NULL;
END;
