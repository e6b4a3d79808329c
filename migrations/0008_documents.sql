-- Recipes as they were written: jsonb puts keys in an order of its own, and the columns of totals are in the order of their names in
-- the document.
alter table revisions alter column document type json using document::json;
alter table runs alter column document type json using document::json;
