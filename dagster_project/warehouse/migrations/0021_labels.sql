-- Labels: what people see of a view or column in psql or a BI tool begins with its name in Vietnamese, as it does in the
-- published tables. Columns that bi.fct_bill_history has of bi.fct_bill get that view's own words with each publication.

comment on view bi.load_audit is
'Sổ theo dõi tệp đã nhận / One row per path and content seen: what became of every row and đồng of a file.';
comment on column bi.load_audit.source is 'Nguồn / Source: the folder the file was in.';
comment on column bi.load_audit.file is 'Tệp / Path under the landing location.';
comment on column bi.load_audit.sha256 is
'Mã băm nội dung / Hash of the content; empty if the file could not be read.';
comment on column bi.load_audit.rows_in_file is 'Số dòng trong tệp / Rows of data: loaded + duplicate + quarantined.';
comment on column bi.load_audit.rows_loaded is
'Số dòng đã nạp / Rows that count: accepted, and equal to no other that does.';
comment on column bi.load_audit.rows_duplicate is 'Số dòng trùng / Rows equal to one accepted before.';
comment on column bi.load_audit.rows_quarantined is
'Số dòng bị cách ly / Rows that were not accepted, also those '
'for which a corrected row came in another line or file.';
comment on column bi.load_audit.money_in_file_vnd is
'Số tiền trong tệp (đ) / Sum of total_amount (bills) or amount (payments); 0 for other sources.';
comment on column bi.load_audit.money_loaded_vnd is 'Số tiền đã nạp (đ) / The part of it in loaded rows.';
comment on column bi.load_audit.money_duplicate_vnd is 'Số tiền trùng (đ) / The part of it in duplicate rows.';
comment on column bi.load_audit.money_quarantined_vnd is
'Số tiền bị cách ly (đ) / The part of it in quarantined rows.';
comment on column bi.load_audit.loaded_at is 'Thời điểm nạp hoặc từ chối / When the file was loaded or refused.';
comment on column bi.load_audit.refused_reason is
'Lý do không nạp / Why nothing of the file is loaded: '
'refused, or withdrawn by whom and why; null if it is loaded.';

comment on view bi.quarantine is 'Dòng bị cách ly / One row per quarantined row; what is personal in it is hidden.';
comment on column bi.quarantine.source is 'Nguồn / Source: the folder the file was in.';
comment on column bi.quarantine.file is 'Tệp / Path under the landing location.';
comment on column bi.quarantine.line is
'Vị trí dòng trong tệp / Line where the row begins, header included; sheet row in Excel, row in Parquet.';
comment on column bi.quarantine.column_name is 'Cột có lỗi / First bad column; null: wrong number of fields.';
comment on column bi.quarantine.reason is 'Lý do (tiếng Anh) / What is wrong with the row.';
comment on column bi.quarantine.raw is
'Nội dung dòng, đã che thông tin cá nhân / The row as it stands in the file, personal values hidden.';
comment on column bi.quarantine.status is
'Trạng thái / open, or repaired: tested again and loaded, or a corrected row came in another line or file.';
comment on column bi.quarantine.quarantined_at is 'Thời điểm cách ly / When the row went to quarantine.';
comment on column bi.quarantine.reason_vi is 'Lý do / What is wrong with the row, in Vietnamese.';
comment on column bi.quarantine.repaired_at is 'Thời điểm sửa xong / When it was repaired; null: it is open.';
comment on column bi.quarantine.repaired_by_file is
'Tệp có dòng đã sửa / The file with the corrected row; null: it '
'is open, or the row itself passed a later test and is loaded.';

comment on view bi_private.quarantine is
'Dòng bị cách ly, nguyên văn / bi.quarantine with the rows as they stand in the file: personal.';
comment on column bi_private.quarantine.source is 'Nguồn / Source: the folder the file was in.';
comment on column bi_private.quarantine.file is 'Tệp / Path under the landing location.';
comment on column bi_private.quarantine.line is
'Vị trí dòng trong tệp / Line where the row begins, as in bi.quarantine.';
comment on column bi_private.quarantine.column_name is 'Cột có lỗi / First bad column; null: wrong number of fields.';
comment on column bi_private.quarantine.reason is 'Lý do (tiếng Anh) / What is wrong with the row.';
comment on column bi_private.quarantine.raw is 'Nội dung dòng, nguyên văn / The row as it stands in the file.';
comment on column bi_private.quarantine.status is 'Trạng thái / open, or repaired, as in bi.quarantine.';
comment on column bi_private.quarantine.quarantined_at is 'Thời điểm cách ly / When the row went to quarantine.';
comment on column bi_private.quarantine.reason_vi is 'Lý do / What is wrong with the row, in Vietnamese.';
comment on column bi_private.quarantine.repaired_at is 'Thời điểm sửa xong / When it was repaired; null: it is open.';
comment on column bi_private.quarantine.repaired_by_file is
'Tệp có dòng đã sửa / The file with the corrected row, as in bi.quarantine.';

comment on table bi_private.customer_key is
'Mã khách hàng và khóa khách hàng / One row per customer code seen in '
'any source, with its keyed pseudonym (customer_key), computed once.';
comment on column bi_private.customer_key.customer_code is
'Mã khách hàng / Customer code of the customer and billing system.';
comment on column bi_private.customer_key.customer_key is
'Khóa khách hàng / First 8 bytes of HMAC-SHA-256 of the code, as a signed integer.';

comment on table bi_private.customer_key_secret is
'Dấu kiểm của bí mật tạo khóa khách hàng / One row: a fingerprint of the secret that keys customer_key.';
comment on column bi_private.customer_key_secret.is_only_row is 'Dòng duy nhất / Keeps the table at one row.';
comment on column bi_private.customer_key_secret.fingerprint is 'Dấu kiểm / HMAC-SHA-256 of a fixed text, in hex.';
comment on column bi_private.customer_key_secret.changes_through is
'Đã tạo khóa đến thay đổi số / Last change (landing.change) whose rows '
'all have their customer_key; -1: all rows are to be looked through.';

comment on view bi.expected_file is
'Tệp phải nhận / One row per expectation (overlay, expected_files) and day or month that it covers, '
'up to today: has the file come? It follows the loading and the clock, not the publication.';
comment on column bi.expected_file.expectation_code is 'Mã quy định nhận tệp / Code of the expectation.';
comment on column bi.expected_file.source is 'Nguồn / Source that the file belongs to.';
comment on column bi.expected_file.partner_code is 'Mã đối tác / Partner that sends it; empty: the company itself.';
comment on column bi.expected_file.files is
'Mẫu tên tệp / How the file is called: the pattern, under the folder of the source.';
comment on column bi.expected_file.covers is
'Ngày hoặc tháng của tệp / Day, or first day of the month, that the file is for.';
comment on column bi.expected_file.due_at is 'Hạn gửi tệp / Up to when it is on time.';
comment on column bi.expected_file.arrived_at is
'Thời điểm nhận tệp / When it was first seen in the landing by a run; empty: it has not come.';
comment on column bi.expected_file.file is
'Tệp / The first such file that was taken (copies count), else the '
'first that was refused; one that was taken back has not come.';
comment on column bi.expected_file.status is
'Trạng thái / received; late: came after due_at; missing: due, and not '
'come; refused: came, but nothing of it was loaded; awaited: not due yet.';

comment on view bi.publication is
'Các lần công bố số liệu / Every publication: when, which months changed, and what the gate said.';
comment on column bi.publication.publication_id is
'Lần công bố / Number of the publication; the greatest is the newest.';
comment on column bi.publication.published_at is 'Thời điểm công bố / When its figures became visible.';
comment on column bi.publication.months is
'Các tháng có thay đổi / Months of which at least one published figure changed.';
comment on column bi.publication.data_through is
'Số liệu đến ngày / Local date of the latest payment in these figures.';
comment on column bi.publication.checks_passed is 'Số kiểm tra đạt / Quality checks that passed.';
comment on column bi.publication.checks_warned is 'Số kiểm tra cảnh báo / Quality checks that failed as a warning.';
comment on column bi.publication.checks_failed is
'Số kiểm tra không đạt / Quality checks that failed; critical ones would have refused it.';
comment on column bi.publication.build_id is 'Mã bản dựng / The audited build that was published.';
comment on column bi.publication.final_after_days is
'Số ngày đến khi thành số liệu chính thức / A month is final when '
'data_through is more than this many days after its last day.';
comment on column bi.publication.forced_by is
'Người cho công bố bất chấp kiểm tra / Who published it although '
'critical checks had failed (checks_failed); empty: it passed.';
comment on column bi.publication.forced_reason is 'Lý do công bố bất chấp kiểm tra / Why, in that person''s words.';

comment on view bi.hold is
'Tạm dừng công bố / Spans of time in which nothing was, or is, published because somebody said so.';
comment on column bi.hold.held_at is 'Tạm dừng từ / Since when.';
comment on column bi.hold.held_by is 'Người tạm dừng / By whom.';
comment on column bi.hold.reason is 'Lý do tạm dừng / Why, in that person''s words.';
comment on column bi.hold.released_at is 'Tạm dừng đến / Until when; empty: it still holds.';
comment on column bi.hold.released_by is 'Người cho công bố trở lại / Who ended it.';
comment on column bi.hold.release_reason is 'Lý do công bố trở lại / Why, in that person''s words.';

comment on view bi.quality_result is
'Kết quả kiểm tra chất lượng / One row per audit and check of the quality gate: outcome, what '
'was observed and what is allowed. dbt''s own tests are there when they failed (suite dbt).';
comment on column bi.quality_result.publication_id is
'Lần công bố / The publication that the audit let out; empty if '
'there is none (refused, held back, or the run ended before).';
comment on column bi.quality_result.build_id is 'Mã bản dựng / The audited build.';
comment on column bi.quality_result.audited_at is 'Thời điểm kiểm tra / When.';
comment on column bi.quality_result.suite is 'Bộ kiểm tra / The suite: raw, marts, kpi, outreach, or dbt.';
comment on column bi.quality_result.expectation is 'Nội dung kiểm tra / The check, as in expectations/<suite>.json.';
comment on column bi.quality_result.severity is
'Mức độ nghiêm trọng / critical refuses the publication, warning tells, info records.';
comment on column bi.quality_result.owner is 'Người phụ trách / Who looks into it.';
comment on column bi.quality_result.outcome is 'Kết quả / passed or failed.';
comment on column bi.quality_result.observed is
'Giá trị đo được / What was found; empty if nothing could be measured, and of a share within its bounds.';
comment on column bi.quality_result.threshold_least is 'Ngưỡng dưới / The least that passes; empty if there is none.';
comment on column bi.quality_result.threshold_most is 'Ngưỡng trên / The most that passes; empty if there is none.';
comment on column bi.quality_result.failing_rows is
'Số dòng không đạt / Of a failed check that counts rows how many '
'there are; empty of shares, money, and checks that passed.';
comment on column bi.quality_result.why_vi is 'Vì sao quan trọng / Why it matters, in Vietnamese.';
comment on column bi.quality_result.why_en is 'Vì sao quan trọng (tiếng Anh) / Why it matters.';
comment on column bi.quality_result.rows_query is
'Câu truy vấn liệt kê các dòng / A query that lists the rows, where they can '
'be listed. In a refused build they are in schema candidate instead of bi.';

comment on view bi.kpi_revision is
'Điều chỉnh số liệu đã chốt / Append-only: every change of customers_billed, customers_cashless or '
'cashless_rate_customers (and their strict twins) of a month that was final, or signed, when it was published.';
comment on column bi.kpi_revision.publication_id is 'Lần công bố / The publication that changed the figure.';
comment on column bi.kpi_revision.revised_at is 'Thời điểm điều chỉnh / When the new value became visible.';
comment on column bi.kpi_revision.table_name is
'Bảng số liệu / kpi_commune_month, kpi_district_month, kpi_power_unit_month or kpi_company_month.';
comment on column bi.kpi_revision.bill_month is 'Kỳ hóa đơn / Billing month of the figure.';
comment on column bi.kpi_revision.geography is 'Cách xếp địa bàn / as_recorded or current.';
comment on column bi.kpi_revision.scope is 'Phạm vi / electricity or all.';
comment on column bi.kpi_revision.code is 'Mã đơn vị / The unit''s code; COMPANY for the company.';
comment on column bi.kpi_revision.column_name is 'Chỉ số / The figure.';
comment on column bi.kpi_revision.old_value is 'Giá trị cũ / What was published before; empty if the row is new.';
comment on column bi.kpi_revision.new_value is 'Giá trị mới / What is published now; empty if the row is gone.';
comment on column bi.kpi_revision.files is
'Các tệp có thể gây thay đổi / The files whose loaded or withdrawn rows may have changed '
'bills of the row (bi.fct_bill_cause); empty if models, reference data or settings did.';

comment on view bi.fct_bill_history is
'Lịch sử thay đổi hóa đơn / Every bill that a publication changed, as it was '
'before (not is_new) and as it is from then on (is_new); a bill that came has '
'no row before, one that went none after. The first publication has none.';
comment on column bi.fct_bill_history.publication_id is 'Lần công bố / The publication that changed the bill.';
comment on column bi.fct_bill_history.published_at is 'Thời điểm công bố / When that became visible.';
comment on column bi.fct_bill_history.is_new is
'Trạng thái sau thay đổi / Whether the row is what the bill became; else what it was.';

comment on view bi.fct_bill_cause is
'Nguyên nhân thay đổi hóa đơn / Of every bill that a publication changed (bi.fct_bill_history) the rows of files '
'that were loaded or withdrawn since the publication before and may have done it: of the bill, of payments that '
'name it or named it or reverse those, of its owner and the owner''s mandates; and of an owner with payments that '
'name no bill, which move from bill to bill, all rows that name no bill and concern the owner, or concern one of '
'the owner''s bills, now or before. A bill without such a row was moved by reference data, a setting or a model.';
comment on column bi.fct_bill_cause.publication_id is 'Lần công bố / The publication that changed the bill.';
comment on column bi.fct_bill_cause.bill_id is 'Mã hóa đơn / The bill.';
comment on column bi.fct_bill_cause.source is 'Nguồn / bills, payments, customers or auto_debit_mandates.';
comment on column bi.fct_bill_cause.file is 'Tệp / The file, as in bi.load_audit.';
comment on column bi.fct_bill_cause.line is 'Vị trí dòng trong tệp / The line of the row, as in bi.quarantine.';
comment on column bi.fct_bill_cause.is_withdrawn is
'Dòng đã rút lại / Whether the row was taken back with its file; else it was loaded.';
comment on column bi.fct_bill_cause.partner_code is 'Mã đối tác / Of a payment or reversal its partner.';
comment on column bi.fct_bill_cause.transaction_id is 'Mã giao dịch / Of a payment or reversal its transaction.';

comment on view bi.sign_off is 'Chốt số liệu / Months that somebody signed (chốt số liệu).';
comment on column bi.sign_off.bill_month is 'Kỳ hóa đơn / The month.';
comment on column bi.sign_off.signed_at is 'Thời điểm chốt / When it was signed.';
comment on column bi.sign_off.signed_by is 'Người chốt / By whom.';
comment on column bi.sign_off.note is 'Ghi chú / What they wrote beside it.';
comment on column bi.sign_off.publication_id is 'Lần công bố / The publication whose figures they signed.';

comment on view bi.signed_figure is
'Số liệu đã chốt / What was signed: the month''s rows of the four KPI tables as they stood then.';
comment on column bi.signed_figure.bill_month is 'Kỳ hóa đơn / The month.';
comment on column bi.signed_figure.signed_at is 'Thời điểm chốt / The signature (bi.sign_off).';
comment on column bi.signed_figure.table_name is 'Bảng số liệu / The KPI table.';
comment on column bi.signed_figure.geography is 'Cách xếp địa bàn / as_recorded or current.';
comment on column bi.signed_figure.scope is 'Phạm vi / electricity or all.';
comment on column bi.signed_figure.code is 'Mã đơn vị / The unit''s code; COMPANY for the company.';
comment on column bi.signed_figure.figures is 'Các chỉ số / The row, by column.';

comment on view bi_private.cash_payer is
'Khách hàng còn trả tiền mặt / Who still pays cash: customers active on the last day of the data, of whose three latest '
'electricity bills that are settled or partly paid in cash one was not paid cashless; how, where, the last contact and '
'what came of it, whether the phone number is verified and whether they were told. Personal.';
comment on column bi_private.cash_payer.power_unit_code is
'Mã Điện lực / Code of the customer''s power unit on the last day of the data.';
comment on column bi_private.cash_payer.power_unit_name is
'Tên Điện lực / Name of the power unit; the code where the project does not know the unit.';
comment on column bi_private.cash_payer.commune_code is
'Mã xã / Commune of the customer''s latest version on '
'today''s map; UNRESOLVED or UNKNOWN where it cannot be told.';
comment on column bi_private.cash_payer.commune_name is
'Tên xã / Name of the commune with its type; for a pseudo-code the code.';
comment on column bi_private.cash_payer.customer_code is 'Mã khách hàng / Customer code.';
comment on column bi_private.cash_payer.customer_name is 'Tên khách hàng / Name.';
comment on column bi_private.cash_payer.contract_no is 'Số hợp đồng / Contract number.';
comment on column bi_private.cash_payer.phone is 'Điện thoại / Phone number, in its normal form where it has one.';
comment on column bi_private.cash_payer.address is 'Địa chỉ / Address.';
comment on column bi_private.cash_payer.last_bill_month is
'Kỳ hóa đơn gần nhất / Billing month of the latest bill, as in bi.fct_customer_paying.';
comment on column bi_private.cash_payer.bills is
'Số hóa đơn được xét / Latest bills that tell how the customer pays, at most three: settled, or partly paid in another '
'way than cashless, as in bi.fct_customer_paying.';
comment on column bi_private.cash_payer.bills_cashless is 'Hóa đơn không dùng tiền mặt / Of them, the cashless ones.';
comment on column bi_private.cash_payer.bills_unsettled is
'Hóa đơn chưa chấm nợ / Electricity bills not settled yet, of all of the customer''s.';
comment on column bi_private.cash_payer.cash_channel_code is
'Kênh trả tiền mặt gần nhất / Channel of the latest part, of the latest of them, that was not paid cashless.';
comment on column bi_private.cash_payer.has_auto_debit is
'Có trích nợ tự động / Whether an auto-debit mandate was active on the last day of last_bill_month.';
comment on column bi_private.cash_payer.last_contacted_at is
'Lần tiếp xúc gần nhất / Local time of the latest contact of any campaign; empty if there is none.';
comment on column bi_private.cash_payer.last_outcome is
'Kết quả tiếp xúc gần nhất / What came of it: not_reached, refused, undecided, agreed or registered.';
comment on column bi_private.cash_payer.last_employee_code is
'Mã nhân viên tiếp xúc gần nhất / Employee who made it.';
comment on column bi_private.cash_payer.is_phone_verified is
'Số chính chủ / Whether the phone number is verified, on the last day of the data, as the contract '
'holder''s own (chính chủ).';
comment on column bi_private.cash_payer.is_notified is
'Đã được báo / Whether the customer was told, at any time, that a counter closes.';

comment on view bi_private.not_notified_customer is
'Khách hàng chưa được báo đóng điểm thu / Whom a counter that is open and to be closed (planned_close_on, '
'or closed_on after the data) serves and nobody has told that counters close. Personal.';
comment on column bi_private.not_notified_customer.collection_point_code is
'Mã điểm thu / Code of the collection point (điểm thu, bàn thu).';
comment on column bi_private.not_notified_customer.collection_point_name is
'Tên điểm thu / Name of the collection point.';
comment on column bi_private.not_notified_customer.planned_close_on is
'Ngày dự kiến đóng / Day on which it is planned to close.';
comment on column bi_private.not_notified_customer.closed_on is
'Ngày đóng / First day closed, if that is known and after the data; else empty.';
comment on column bi_private.not_notified_customer.commune_code is
'Mã xã / Commune of the customer on the day by which the counter is judged, as in bi.fct_counter_customer.';
comment on column bi_private.not_notified_customer.customer_code is 'Mã khách hàng / Customer code.';
comment on column bi_private.not_notified_customer.customer_name is 'Tên khách hàng / Name.';
comment on column bi_private.not_notified_customer.contract_no is 'Số hợp đồng / Contract number.';
comment on column bi_private.not_notified_customer.phone is
'Điện thoại / Phone number, in its normal form where it has one.';
comment on column bi_private.not_notified_customer.address is 'Địa chỉ / Address.';
comment on column bi_private.not_notified_customer.is_phone_verified is
'Số chính chủ / Whether the number was verified on that day as the contract holder''s own (chính chủ).';
