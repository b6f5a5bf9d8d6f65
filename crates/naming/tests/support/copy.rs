//! Messages that are changed after they were written.

use domain::{
    base::{Message, MessageBuilder, ParsedName, message_builder::AdditionalBuilder},
    rdata::AllRecordData,
};

/// A copy of a message, to which a record can be added.
pub(crate) fn copy(
    message: &[u8],
) -> Result<AdditionalBuilder<Vec<u8>>, Box<dyn std::error::Error>> {
    let message = Message::from_octets(message)?;
    let mut builder = MessageBuilder::new_vec();
    builder.set_push_limit(usize::from(u16::MAX));
    *builder.header_mut() = message.header();
    let mut questions = builder.question();
    for question in message.question() {
        questions.push(question?)?;
    }
    type Data<'a> = AllRecordData<&'a [u8], ParsedName<&'a [u8]>>;
    let mut answers = questions.answer();
    for record in message.answer()? {
        answers.push(record?.into_any_record::<Data>()?)?;
    }
    let mut authorities = answers.authority();
    for record in message.authority()? {
        authorities.push(record?.into_any_record::<Data>()?)?;
    }
    let mut additional = authorities.additional();
    for record in message.additional()? {
        additional.push(record?.into_any_record::<Data>()?)?;
    }
    Ok(additional)
}
